// Package sandbox stands in for api.weixin.qq.com, dysmsapi and dyvmsapi.
//
// A program that talks to it by the vendors' own SDKs cannot tell it from the real platforms except by the address:
// it verifies signatures and tokens, keeps the documented rules and error codes, and pushes receipts, replies and
// events to the program's own callback addresses. It serves the demo and the tests.
//
// Its nouns: the carrier (Aliyun's SMS and voice: templates, signatures, calls, messages, receipts), the account
// (WeChat's official account: tokens, followers, consents, menu, chats), a fault (what goes wrong, and how often),
// the journal (an append-only file that lets a demo keep its messages over a restart), the control door (JSON for
// tests and the demo, loopback only), and the phones (a page on which one acts as a fictional person).
//
// Its rules: what the vendors document is kept to the letter, and what they leave open is decided on the strict
// side and said in a comment. It never speaks to an address outside loopback, and it imports nothing of ours.
package sandbox

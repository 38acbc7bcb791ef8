// Package bot is our end of a WeChat official account (a service account).
//
// Coming in, Callback takes what WeChat posts, makes sure it is WeChat who posts it, turns it into one
// turn.Inbound and answers within the 4.5 seconds that WeChat leaves us; an answer that takes longer follows
// as a customer message. Going out, Sender implements notify.Sender over three ways (subscription notice,
// customer message, template message), on a Client whose TokenSource shares one stable token between
// processes. Menu and QR code are small calls on the same Client.
//
// Nouns: a post is one HTTP request of WeChat's; authentic means that its signatures hold and its encrypted
// part opens to our appid; an event is what the post holds; a proof is WeChat's word on whether a message we
// sent arrived; a flight is one turn under way with everybody who waits for it.
//
// Rules:
//   - What isn't authentic gets 403 and leaves no trace but a count. What is authentic and of no use gets
//     200 "success", or WeChat would tell the person that the account is out of order.
//   - Where a key is set, only the encrypted part of a post is believed.
//   - Message text, openids and secrets reach no log, no error and no metric.
//   - Nothing is said twice: one key has one turn, and its answer goes either as the reply or as a customer message.
//
// What it refuses to do: decide what to say (flows/turn does), remember anything (the database does), send to
// more than one person a call, cut a field that is too long, and use the library's own server, cache or global
// HTTP client (they accept forged plain posts, lose consents, never time out, and print citizens' messages).
//
// The platform's rules are on https://developers.weixin.qq.com/doc/service/ .
package bot

// Package aliyun speaks to Alibaba Cloud's short message service and hears its receipts.
//
// The vendor's SDK builds, signs and parses; the request is carried by an HTTP client of our own, because the
// SDK knows no context, races on a shared client, and retries what must not be sent twice
// (github.com/aliyun/alibaba-cloud-sdk-go#538, #513). Nothing here is idempotent on the vendor's side: a
// timeout is Unknown, never failed, and this package never presents anything by itself a second time.
//
// What it refuses to do: repeat a vendor's free text, a URL, a phone number or a key in an error or answer;
// believe an HTTP status without a code; trust a receipt (the caller matches it to a message of ours).
package aliyun

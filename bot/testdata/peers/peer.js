// The other side of the callback, on implementations that aren't ours.
// Usage: node peer.js LIBRARY URL TOKEN AESKEY APPID < [{"inner": "<xml>…</xml>"}, …]
// Prints one JSON array: [{"status", "body"} | {"status", "message", "id"}, …]. Loopback only.
'use strict';
const crypto = require('crypto');
const http = require('http');
const path = require('path');

const [, , library, address, token, aesKey, appId] = process.argv;
const from = (name) => require(require.resolve(name, { paths: [process.cwd()] }));

function peer() {
  if (library === '@wecom/crypto') {
    const wecom = from('@wecom/crypto');
    return {
      sign: (stamp, nonce, sealed) => wecom.getSignature(token, stamp, nonce, sealed),
      encrypt: (message) => wecom.encrypt(aesKey, message, appId),
      decrypt: (sealed) => wecom.decrypt(aesKey, sealed),
    };
  }
  const WXBizMsgCrypt = from('wechat-crypto');
  const box = new WXBizMsgCrypt(token, aesKey, appId);
  return {
    sign: (stamp, nonce, sealed) => box.getSignature(stamp, nonce, sealed),
    encrypt: (message) => box.encrypt(message),
    decrypt: (sealed) => box.decrypt(sealed),
  };
}

const { sign, encrypt, decrypt } = peer();
const element = (xml, name) => {
  const found = new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`, 's').exec(xml);
  if (!found) throw new Error(`no ${name} in ${xml}`);
  return found[1];
};

function post(query, body) {
  return new Promise((resolve, reject) => {
    const request = http.request(`${address}?${new URLSearchParams(query)}`, { method: 'POST' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part) => { text += part; });
      response.on('end', () => resolve({ status: response.statusCode, body: text }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

async function deliver({ inner }) {
  const stamp = String(Math.floor(Date.now() / 1000));
  const nonce = crypto.randomBytes(8).toString('hex');
  const sealed = encrypt(inner);
  const signature = crypto.createHash('sha1').update([token, stamp, nonce].sort().join('')).digest('hex');
  const { status, body } = await post(
    { signature, timestamp: stamp, nonce, encrypt_type: 'aes', msg_signature: sign(stamp, nonce, sealed) },
    `<xml><ToUserName><![CDATA[gh]]></ToUserName><Encrypt><![CDATA[${sealed}]]></Encrypt></xml>`,
  );
  if (!body.startsWith('<xml>')) return { status, body };
  const reply = element(body, 'Encrypt');
  if (element(body, 'MsgSignature') !== sign(element(body, 'TimeStamp'), element(body, 'Nonce'), reply)) {
    throw new Error('the reply\'s signature does not hold');
  }
  const { message, id } = decrypt(reply);
  return { status, message, id };
}

(async () => {
  let input = '';
  for await (const part of process.stdin) input += part;
  const answers = [];
  for (const one of JSON.parse(input)) answers.push(await deliver(one));
  process.stdout.write(JSON.stringify(answers));
})().catch((err) => {
  console.error(err.message);
  process.exit(1);
});

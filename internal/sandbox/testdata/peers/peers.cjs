// Runs the vendor's own clients for Node against a sandbox, and prints what they got as one JSON object.
// node peers.cjs <aliyun host:port> <wechat url> ; packages come from NODE_PATH.
"use strict";
const { RPCClient } = require("@alicloud/pop-core");
const Dysms = require("@alicloud/dysmsapi20170525");
const { $OpenApiUtil } = require("@alicloud/openapi-core");
const { RuntimeOptions } = require("@darabonba/typescript");
const WeChatAPI = require("co-wechat-api");

const [, , aliyun, wechat] = process.argv;
const keys = { accessKeyId: "LTAI5sandbox", accessKeySecret: "very secret" };
const attempt = async (act) => {
  try { return await act(); } catch (e) { return { failed: e.code ?? e.name, message: String(e.message), status: e.statusCode ?? e.entry?.response?.statusCode }; }
};

async function pop(out) {
  const make = (secret) => new RPCClient({ accessKeyId: keys.accessKeyId, accessKeySecret: secret, endpoint: "http://" + aliyun, apiVersion: "2017-05-25" });
  const message = { PhoneNumbers: "13800000001", SignName: "青禾县人社", TemplateCode: "SMS_1001", OutId: "o ut*~", TemplateParam: JSON.stringify({ name: "张三", deadline: "12月31日" }) };
  out.popGet = await attempt(() => make(keys.accessKeySecret).request("SendSms", message, { method: "GET" }));
  out.popPost = await attempt(() => make(keys.accessKeySecret).request("SendBatchSms", {
    PhoneNumberJson: '["13800000002","13800000003"]', SignNameJson: '["青禾县人社","青禾县人社"]', TemplateCode: "SMS_1001", OutId: "b1",
    TemplateParamJson: JSON.stringify([{ name: "李四", deadline: "今天" }, { name: "王五", deadline: "今天" }]),
  }, { method: "POST" }));
  out.popWrong = await attempt(() => make("wrong").request("SendSms", message, { method: "POST" }));
  out.popBad = await attempt(() => make(keys.accessKeySecret).request("SendSms", { ...message, PhoneNumbers: "123" }, { method: "POST" }));
}

async function acs3(out) {
  const make = (secret) => new Dysms.default(new $OpenApiUtil.Config({ accessKeyId: keys.accessKeyId, accessKeySecret: secret, endpoint: aliyun, protocol: "HTTP" }));
  const client = make(keys.accessKeySecret);
  const quiet = new RuntimeOptions({ autoretry: false });
  const batch = new Dysms.SendBatchSmsRequest({
    phoneNumberJson: '["13800000004","13800000005"]', signNameJson: '["青禾县人社","青禾县人社"]', templateCode: "SMS_1001", outId: "c1",
    templateParamJson: JSON.stringify([{ name: "赵六", deadline: "今天" }, { name: "孙七", deadline: "今天" }]),
  });
  out.acsBatch = (await attempt(() => client.sendBatchSmsWithOptions(batch, quiet))).body;
  out.acsSms = (await attempt(() => client.sendSmsWithOptions(new Dysms.SendSmsRequest({
    phoneNumbers: "13800000006", signName: "青禾县人社", templateCode: "SMS_1001", templateParam: '{"name":"周八","deadline":"今天"}',
  }), quiet))).body;
  out.acsWrong = await attempt(() => make("wrong").sendBatchSmsWithOptions(batch, quiet));
  const day = new Date(Date.now() + 8 * 3600e3).toISOString().slice(0, 10).replaceAll("-", "");
  out.acsDetails = (await attempt(() => client.querySendDetailsWithOptions(new Dysms.QuerySendDetailsRequest({ phoneNumber: "13800000004", sendDate: day, pageSize: 10, currentPage: 1 }), quiet))).body;
  out.acsTemplate = (await attempt(() => client.getSmsTemplateWithOptions(new Dysms.GetSmsTemplateRequest({ templateCode: "SMS_1001" }), quiet))).body;
  out.acsTemplates = (await attempt(() => client.querySmsTemplateListWithOptions(new Dysms.QuerySmsTemplateListRequest({ pageIndex: 1, pageSize: 10 }), quiet))).body;
  out.acsSigns = (await attempt(() => client.querySmsSignListWithOptions(new Dysms.QuerySmsSignListRequest({ pageIndex: 1, pageSize: 10 }), quiet))).body;
  out.acsStatistics = (await attempt(() => client.querySendStatisticsWithOptions(new Dysms.QuerySendStatisticsRequest({ isGlobe: 1, startDate: day, endDate: day, pageIndex: 1, pageSize: 10 }), quiet))).body;
}

async function account(out) {
  const api = new WeChatAPI("wx0000000000000001", "s3cret");
  api.prefix = wechat + "/cgi-bin/";
  out.token = await attempt(() => api.getAccessToken());
  out.menu = await attempt(() => api.createMenu({ button: [{ type: "click", name: "办事", key: "K" }] }));
  out.text = await attempt(() => api.sendText("oA", "您好"));
  out.closed = await attempt(() => api.sendText("oB", "您好"));
  out.unknown = await attempt(() => api.sendText("oNobody", "您好"));
  out.template = await attempt(() => api.sendTemplate("oA", "TPL_MSG", "http://127.0.0.1/", "#000000", { thing1: { value: "办结" } }));
  out.qr = await attempt(() => api.createTmpQRCode(100, 1800));
  out.user = await attempt(() => api.getUser("oA"));
}

(async () => {
  const out = {};
  await pop(out);
  await acs3(out);
  await account(out);
  console.log(JSON.stringify(out));
})().catch((e) => { console.error(e); process.exit(1); });

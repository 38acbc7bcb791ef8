"use strict";
// Asks WeChat for the buttons, and shows what became of a tap. What counts as consent is told to our server by WeChat's
// own: this page tells it nothing. Written for old phones: no syntax younger than 2009.
(function () {
  var box = document.getElementById("consent");
  if (!box) return;
  function show(id) {
    ["done", "declined", "old", "trouble"].forEach(function (other) { document.getElementById(other).hidden = other !== id; });
  }
  if (!window.wx) { show("trouble"); return; }
  document.addEventListener("WeixinOpenTagsError", function () { show("old"); });
  wx.error(function () { show("trouble"); });
  Array.prototype.forEach.call(box.getElementsByTagName("wx-open-subscribe"), function (tag) {
    tag.addEventListener("success", function (event) { show(allowed(event.detail) ? "done" : "declined"); });
    tag.addEventListener("error", function () { show("trouble"); });
  });
  // subscribeDetails is JSON by template: {"ID":"{\"status\":\"accept\"}"}; on other versions the inner part is no text.
  function allowed(detail) {
    try {
      var byTemplate = typeof detail.subscribeDetails === "string" ? JSON.parse(detail.subscribeDetails) : detail.subscribeDetails;
      return Object.keys(byTemplate).some(function (id) {
        var one = byTemplate[id];
        if (typeof one === "string") one = JSON.parse(one);
        return one.status === "accept";
      });
    } catch (e) { return false; }
  }
  wx.config({
    debug: false,
    appId: box.getAttribute("data-appid"),
    timestamp: Number(box.getAttribute("data-timestamp")),
    nonceStr: box.getAttribute("data-nonce"),
    signature: box.getAttribute("data-signature"),
    jsApiList: ["checkJsApi"],
    openTagList: ["wx-open-subscribe"]
  });
})();

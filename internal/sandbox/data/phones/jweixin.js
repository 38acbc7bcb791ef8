"use strict";
// Stands for WeChat's JS-SDK 1.6.0 as far as wx.config and wx-open-subscribe go. The signature is really judged, and a
// choice really goes to the account's server as WeChat's event.
(() => {
  const query = new URLSearchParams(location.search);
  const person = query.get("p"), page = query.get("url");
  const ready = [], failed = [];
  const sheet = (text) => { const s = new CSSStyleSheet(); s.replaceSync(text); return s; };

  window.wx = {
    ready(fn) { ready.push(fn); },
    error(fn) { failed.push(fn); },
    async config(c) {
      const body = new URLSearchParams({ url: page, appId: c.appId, timestamp: c.timestamp, nonceStr: c.nonceStr, signature: c.signature });
      const answer = await fetch("web/config", { method: "POST", body });
      if (!answer.ok) {
        const errMsg = await answer.text();
        failed.forEach((fn) => fn({ errMsg }));
        return;
      }
      ready.forEach((fn) => fn());
      if ((c.openTagList || []).includes("wx-open-subscribe")) document.querySelectorAll("wx-open-subscribe").forEach(draw);
    },
  };

  // draw puts the tag's own button in place.
  function draw(tag) {
    const held = tag.querySelector("script[type='text/wxtag-template'], template");
    const content = new DOMParser().parseFromString(held.tagName === "SCRIPT" ? held.textContent : held.innerHTML, "text/html");
    const root = tag.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [...content.querySelectorAll("style")].map((s) => { s.remove(); return sheet(s.textContent); });
    root.append(...content.head.childNodes, ...content.body.childNodes);
    root.addEventListener("click", () => ask(tag));
  }

  const boxStyle = sheet(`
    :host { position: fixed; inset: 0; background: #0008; display: flex; align-items: flex-end; z-index: 9; }
    form { background: #fff; width: 100%; border-radius: 16px 16px 0 0; padding: 20px 22px 26px; font: 18px/1.5 system-ui, "Noto Sans CJK SC", sans-serif; color: #16181b; }
    h2 { font-size: 18px; margin: 0 0 6px; } p { margin: 0 0 10px; color: #5b6068; font-size: 15px; }
    label { display: flex; gap: 10px; align-items: center; padding: 11px 0; border-top: 1px solid #eceef0; }
    label span { flex: 1; } input { width: 22px; height: 22px; }
    div { display: flex; gap: 12px; margin-top: 16px; } button { flex: 1; font: inherit; padding: 12px; border-radius: 10px; border: 0; background: #f0f1f3; }
    button[value=allow] { background: #07c160; color: #fff; }`);

  // ask shows WeChat's box: each notice by name, all of them ticked.
  async function ask(tag) {
    const ids = tag.getAttribute("template");
    const list = await (await fetch("web/notices?ids=" + encodeURIComponent(ids))).json();
    if (!list.length) {
      tag.dispatchEvent(new CustomEvent("error", { detail: { errMsg: "subscribe:fail no template data return", errCode: 20001 } }));
      return;
    }
    const host = document.createElement("div");
    host.id = "wechat-box";
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [boxStyle];
    const form = document.createElement("form");
    form.append(element("h2", "公众号想给您发送以下通知"), element("p", "演示沙箱：这里代替微信的弹窗"));
    for (const n of list) {
      const label = document.createElement("label"), tick = document.createElement("input");
      tick.type = "checkbox"; tick.checked = true; tick.name = n.id;
      label.append(element("span", n.title), tick);
      form.append(label);
    }
    const bar = document.createElement("div"), no = element("button", "取消"), yes = element("button", "允许");
    no.value = "cancel"; yes.value = "allow";
    bar.append(no, yes);
    form.append(bar);
    root.append(form);
    form.addEventListener("submit", (event) => { event.preventDefault(); host.remove(); choose(tag, list, form, event.submitter.value === "allow"); });
    document.body.append(host);
  }

  function element(name, text) { const e = document.createElement(name); e.textContent = text; return e; }

  // choose sends what was chosen the way WeChat does, server to server, and then tells the page.
  async function choose(tag, list, form, allowed) {
    const body = new URLSearchParams({ p: person, do: "choose" }), details = {};
    for (const n of list) {
      const accepts = allowed && form.elements[n.id].checked;
      body.append(accepts ? "accept" : "reject", n.id);
      details[n.id] = JSON.stringify({ status: accepts ? "accept" : allowed ? "reject" : "cancel", timestamp: String(Math.floor(Date.now() / 1000)) });
    }
    await fetch("act", { method: "POST", body, redirect: "manual" });
    tag.dispatchEvent(new CustomEvent("success", { detail: { errMsg: "subscribe:ok", subscribeDetails: JSON.stringify(details) } }));
  }
})();

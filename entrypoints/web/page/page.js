/** The page of a business's chat: the same as in the widget, alone on a page. */

import { ChatView, createClient } from "../widget/panel.js";

const query = new URLSearchParams(location.search);
const language = document.documentElement.lang;
const chat = createClient({
  business: document.body.dataset.business ?? "",
  location: query.get("location") ?? undefined,
  language,
});
const view = new ChatView(/** @type {HTMLElement} */ (document.getElementById("chat")), chat, {
  language,
  mode: "page",
});
const showVisibility = () => (view.isVisible = !document.hidden);
document.addEventListener("visibilitychange", showVisibility);
showVisibility();
chat.connect();

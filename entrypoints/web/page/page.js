/** The page of a business's chat: the same as in the widget, alone on a page. */

import { createChat } from "../widget/panel.js";

const query = new URLSearchParams(location.search);
createChat(
  /** @type {HTMLElement} */ (document.getElementById("chat")),
  {
    business: document.body.dataset.business ?? "",
    location: query.get("location") ?? undefined,
    language: document.documentElement.lang,
  },
  {},
).show(true);

/**
 * The small Markdown that answers are shown with: a text as a tree of values, and that as nodes.
 *
 * It never makes markup from text: a tree has a fixed set of elements, and everything else stays
 * text. Time and depth are bounded: a character is read a fixed number of times, and at most one
 * mark of each kind is open.
 */

import { el } from "../shared/dom.js";

/**
 * @typedef {string
 *   | {type: "strong" | "em", children: Inline[]}
 *   | {type: "code", text: string}
 *   | {type: "link", href: string, children: Inline[]}} Inline
 */
/** @typedef {{children: Inline[], lists: List[]}} ListItem */
/**
 * @typedef {{type: "list", start: number | null, items: ListItem[]}} List
 *   `start` is the first number of a numbered one
 */
/**
 * @typedef {{type: "paragraph", children: Inline[]} | {type: "pre", text: string} | List} Block
 */
/** @typedef {{mark: string, nodes: Inline[]}} Frame  what is open; the mark "" is the text itself */
/** @typedef {(text: string, isLast: boolean) => Inline[]} ParseLine */

const PROTOCOLS = ["http:", "https:", "mailto:", "tel:"];
const MAX_URL_LENGTH = 2_000;
const MAX_EMAIL_NAME_LENGTH = 64;
const MAX_LIST_DEPTH = 3;

const WORD = /[\p{L}\p{N}]/u;
const SPACE = /\s/;
const PUNCTUATION = /[!-/:-@[-`{-~]/;
// What may become the mark of a block.
const BEGUN = /^\s*(?:[-*+•_]{1,3}|#{1,6}|\d{1,2}[.)]?|`{1,2})\s*$/;
const FENCE = /^\s{0,3}```/;
const ITEM = /^(\s*)(?:[-*+•]|(\d{1,2})[.)])\s+(\S.*)$/;
const HEADING = /^\s{0,3}#{1,6}\s+(\S.*)$/;
const RULE = /^\s{0,3}(?:(?:\* *){3,}|(?:- *){3,}|(?:_ *){3,})$/;
const SPECIAL = /[\\`*_[\]@]|!(?=\[)|https?:\/\//gi;
const TARGET = /\(<?([^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)>?(?:\s+"[^"()]*")?\)/y;
// A control of the direction of writing would show another address than the one that is opened.
const URL_TEXT = /[^\s<>"'`\\[\]\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f]+/y;
const URL_END = ".,;:!?*_~”’»…)";
const WRITTEN_ADDRESS = /^(https?:\/\/|(?=www\.))(\S+)$/i;
const EMAIL_NAME = /[\p{L}\p{N}][\p{L}\p{N}._%+-]*$/u;
const EMAIL_HOST = /@[\p{L}\p{N}][\p{L}\p{N}-]*(?:\.[\p{L}\p{N}-]+)*\.\p{L}{2,}/uy;

/**
 * Return the tree of a text.
 *
 * @param {string} text
 * @param {{isPartial?: boolean}} [options]  `isPartial`: more will follow, so that what is open at
 *   the end is shown as it will be once it is closed
 * @returns {Block[]}
 */
export function parseMarkdown(text, { isPartial = false } = {}) {
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  if (isPartial && BEGUN.test(lines[lines.length - 1])) lines.pop();
  /** @type {ParseLine} */
  const parseLine = (line, isLast) => parseInline(line, { isPartial: isPartial && isLast });
  /** @type {Block[]} */
  const blocks = [];
  /** @type {string[]} */
  let paragraph = [];
  const endParagraph = (isLast = false) => {
    const joined = paragraph.join("\n").trim();
    paragraph = [];
    if (joined) blocks.push({ type: "paragraph", children: parseLine(joined, isLast) });
  };
  for (let n = 0; n < lines.length; n += 1) {
    const line = lines[n];
    const isRule = RULE.test(line);
    const isItem = !isRule && ITEM.test(line);
    const heading = HEADING.exec(line);
    if (!isRule && !isItem && !heading && !FENCE.test(line) && line.trim()) {
      paragraph.push(line);
      continue;
    }
    endParagraph();
    if (isItem) {
      const { list, next } = parseList(lines, n, parseLine);
      blocks.push(list);
      n = next - 1;
    } else if (heading) {
      const children = parseLine(heading[1], n === lines.length - 1);
      blocks.push({ type: "paragraph", children: [{ type: "strong", children }] });
    } else if (FENCE.test(line)) {
      const first = n + 1;
      n = first;
      while (n < lines.length && !FENCE.test(lines[n])) n += 1;
      blocks.push({ type: "pre", text: lines.slice(first, n).join("\n") });
    }
  }
  endParagraph(true);
  return blocks;
}

/**
 * Return the list that begins at a line, and the line after it.
 *
 * @param {string[]} lines
 * @param {number} first
 * @param {ParseLine} parseLine
 */
function parseList(lines, first, parseLine) {
  /** @type {{indent: number, list: List}[]} from the outermost to the innermost */
  const open = [];
  /** @type {{item: ListItem, text: string[]}[]} */
  const read = [];
  let next = first;
  for (; next < lines.length; next += 1) {
    const line = lines[next];
    const match = RULE.test(line) ? null : ITEM.exec(line);
    if (match) {
      const start = match[2] === undefined ? null : Number(match[2]);
      const indent = match[1].length;
      while (open.length > 1 && indent < open[open.length - 1].indent) open.pop();
      const outer = open.at(-1);
      if (!outer || (indent > outer.indent + 1 && open.length < MAX_LIST_DEPTH)) {
        /** @type {List} */
        const list = { type: "list", start, items: [] };
        outer?.list.items.at(-1)?.lists.push(list);
        open.push({ indent, list });
      } else if (open.length === 1 && !isOfKind(match, outer.list)) break;
      /** @type {ListItem} */
      const item = { children: [], lists: [] };
      open[open.length - 1].list.items.push(item);
      read.push({ item, text: [match[3]] });
    } else if (!line.trim()) {
      // Items with empty lines between them are of one list.
      const following = ITEM.exec(lines[next + 1] ?? "");
      if (!following || (!following[1] && !isOfKind(following, open[0].list))) break;
    } else if (SPACE.test(line[0]) && !FENCE.test(line)) {
      read[read.length - 1].text.push(line.trim());
    } else break;
  }
  read.forEach(({ item, text }, n) => {
    const isLast = next === lines.length && n === read.length - 1;
    item.children = parseLine(text.join("\n").trim(), isLast);
  });
  return { list: open[0].list, next };
}

/**
 * Return whether an item is numbered if a list is, and has a dot if it has none.
 *
 * @param {RegExpExecArray} item
 * @param {List} list
 */
const isOfKind = (item, list) => (item[2] === undefined) === (list.start === null);

/**
 * Return the tree of a text within a block.
 *
 * @param {string} text
 * @param {{isPartial?: boolean, isPlain?: boolean}} [options]  `isPlain`: it has addresses, but no
 *   marks
 * @returns {Inline[]}
 */
export function parseInline(text, { isPartial = false, isPlain = false } = {}) {
  const reader = new InlineReader(text, isPartial);
  SPECIAL.lastIndex = 0;
  for (;;) {
    SPECIAL.lastIndex = reader.at;
    const special = SPECIAL.exec(text);
    reader.readText(special ? special.index : text.length);
    if (!special) return reader.end();
    const mark = special[0];
    if (mark.length > 1) reader.readUrl();
    else if (mark === "@") reader.readEmail();
    else if (isPlain) reader.readText(reader.at + 1);
    else if (mark === "\\") reader.readEscape();
    else if (mark === "`") reader.readCode();
    else if (mark === "!")
      reader.at += 1; // an image is a link to it
    else if (mark === "[") reader.openLink();
    else if (mark === "]") reader.closeLink();
    else reader.readEmphasis();
  }
}

class InlineReader {
  #text;
  #isPartial;
  /** @type {Frame[]} */
  #frames = [{ mark: "", nodes: [] }];
  #codeEnds;
  /** The beginning of the last word. */
  #lastWord;
  at = 0;

  /**
   * @param {string} text
   * @param {boolean} isPartial
   */
  constructor(text, isPartial) {
    this.#text = text;
    this.#isPartial = isPartial;
    this.#codeEnds = codeEnds(text);
    this.#lastWord = Math.max(...[" ", "\n", "\t"].map((space) => text.lastIndexOf(space))) + 1;
  }

  get #nodes() {
    return this.#frames[this.#frames.length - 1].nodes;
  }

  /** @param {number} end */
  readText(end) {
    append(this.#nodes, this.#text.slice(this.at, end));
    this.at = end;
  }

  end() {
    while (this.#frames.length > 1) this.#unwind(this.#isPartial);
    return this.#frames[0].nodes;
  }

  readUrl() {
    URL_TEXT.lastIndex = this.at;
    const [found] = URL_TEXT.exec(this.#text) ?? [""];
    const url = withoutEnd(found);
    const href = safeHref(url);
    if (!href) return this.readText(this.at + found.length);
    append(this.#nodes, { type: "link", href, children: [url] });
    this.at += url.length;
  }

  readEmail() {
    const nodes = this.#nodes;
    const before = nodes.at(-1);
    const tail = typeof before === "string" ? before.slice(-MAX_EMAIL_NAME_LENGTH) : "";
    const name = EMAIL_NAME.exec(tail)?.[0];
    EMAIL_HOST.lastIndex = this.at;
    const host = EMAIL_HOST.exec(this.#text)?.[0];
    const href = name && host ? safeHref(`mailto:${name}${host}`) : null;
    if (typeof before !== "string" || !name || !host || !href) return this.readText(this.at + 1);
    nodes[nodes.length - 1] = before.slice(0, -name.length);
    append(nodes, { type: "link", href, children: [name + host] });
    this.at += host.length;
  }

  readEscape() {
    const escaped = this.#text[this.at + 1] ?? "";
    if (PUNCTUATION.test(escaped)) this.at += 1;
    this.readText(this.at + 1);
  }

  readCode() {
    const first = this.at;
    let begin = first;
    while (this.#text[begin] === "`") begin += 1;
    const length = begin - first;
    const end = this.#codeEnds.get(first) ?? (this.#isPartial ? this.#text.length : -1);
    if (end < 0) return this.readText(begin);
    const text = this.#text.slice(begin, end).replace(/\n/g, " ");
    const isPadded = text.startsWith(" ") && text.endsWith(" ") && text.trim() !== "";
    if (text) append(this.#nodes, { type: "code", text: isPadded ? text.slice(1, -1) : text });
    this.at = Math.min(end + length, this.#text.length);
  }

  openLink() {
    // The innermost bracket is that of a link.
    if (this.#indexOf("[") > 0) this.#unwindTo("[");
    this.#frames.push({ mark: "[", nodes: [] });
    this.at += 1;
  }

  closeLink() {
    const index = this.#indexOf("[");
    if (index < 0) return this.readText(this.at + 1);
    TARGET.lastIndex = this.at + 1;
    const target = TARGET.exec(this.#text);
    const href = target && safeHref(target[1]);
    const isPartial = this.#isPartial && !target && this.#isBeginningOfTarget();
    if (!href && !isPartial) {
      this.#unwindTo("[");
      return this.readText(this.at + 1);
    }
    while (this.#frames.length > index + 1) this.#unwind(false);
    const children = withoutLinks(/** @type {Frame} */ (this.#frames.pop()).nodes);
    const isMisleading = href && isOfOtherHost(inlineText(children), href);
    if (isMisleading) append(this.#nodes, { type: "link", href, children: [href] });
    else if (href) append(this.#nodes, { type: "link", href, children });
    else for (const child of children) append(this.#nodes, child);
    this.at = target ? TARGET.lastIndex : this.#text.length;
  }

  #isBeginningOfTarget() {
    const next = this.at + 1;
    return next === this.#text.length || (this.#text[next] === "(" && next >= this.#lastWord);
  }

  readEmphasis() {
    const text = this.#text;
    const char = text[this.at];
    const isDouble = text[this.at + 1] === char;
    const before = text[this.at - 1] ?? " ";
    const innermost = this.#frames[this.#frames.length - 1].mark;
    // Of three marks, those of the innermost are closed first.
    const isSingle = !isDouble || (innermost === char && !SPACE.test(before));
    const mark = isSingle ? char : char + char;
    const after = text[this.at + mark.length] ?? " ";
    const index = this.#indexOf(mark);
    const isInWord = char === "_" || isSingle;
    if (index > 0 && this.#canClose(index, before, char === "_" ? after : " ")) {
      while (this.#frames.length > index + 1) this.#unwind(false);
      const { nodes: children } = /** @type {Frame} */ (this.#frames.pop());
      append(this.#nodes, { type: mark.length > 1 ? "strong" : "em", children });
      this.at += mark.length;
    } else if (index < 0 && !SPACE.test(after) && !(isInWord && WORD.test(before))) {
      this.#frames.push({ mark, nodes: [] });
      this.at += mark.length;
    } else if (this.#isPartial && this.at + mark.length === text.length) {
      this.at = text.length; // it may be the first half of a mark
    } else {
      this.readText(this.at + mark.length);
    }
  }

  /**
   * @param {number} index
   * @param {string} before
   * @param {string} after
   */
  #canClose(index, before, after) {
    const isEmpty = index === this.#frames.length - 1 && this.#nodes.length === 0;
    return !isEmpty && !SPACE.test(before) && !WORD.test(after);
  }

  /** @param {string} mark */
  #indexOf(mark) {
    return this.#frames.findIndex((frame) => frame.mark === mark);
  }

  /** @param {string} mark */
  #unwindTo(mark) {
    while (this.#indexOf(mark) > 0) this.#unwind(false);
  }

  /**
   * End the innermost frame: as text, or as what it will be.
   *
   * @param {boolean} isPartial
   */
  #unwind(isPartial) {
    const { mark, nodes: children } = /** @type {Frame} */ (this.#frames.pop());
    if (!isPartial) append(this.#nodes, mark);
    if (isPartial && mark !== "[" && children.length > 0) {
      append(this.#nodes, { type: mark.length > 1 ? "strong" : "em", children });
    } else {
      for (const child of children) append(this.#nodes, child);
    }
  }
}

/**
 * Append a node; texts side by side become one.
 *
 * @param {Inline[]} nodes
 * @param {Inline} node
 */
function append(nodes, node) {
  const last = nodes.at(-1);
  if (node === "") return;
  if (typeof node === "string" && typeof last === "string") nodes[nodes.length - 1] = last + node;
  else nodes.push(node);
}

/**
 * Return where the code that begins at each run of backticks ends: at the next run as long.
 *
 * @param {string} text
 * @returns {Map<number, number>}
 */
function codeEnds(text) {
  const ends = new Map();
  /** @type {Map<number, number>} by the length */
  const next = new Map();
  for (const { 0: run, index } of [...text.matchAll(/`+/g)].reverse()) {
    const end = next.get(run.length);
    if (end !== undefined) ends.set(index, end);
    next.set(run.length, index);
  }
  return ends;
}

/**
 * Return an address without what is rather of the sentence around it.
 *
 * @param {string} url
 */
function withoutEnd(url) {
  let surplus = url.split(")").length - url.split("(").length;
  let end = url.length;
  while (URL_END.includes(url[end - 1])) {
    if (url[end - 1] === ")") {
      if (surplus <= 0) break;
      surplus -= 1;
    }
    end -= 1;
  }
  return url.slice(0, end);
}

/**
 * Return an address that a link may lead to, as the browser writes it; null: it may not.
 *
 * @param {string} address
 */
export function safeHref(address) {
  if (address.length > MAX_URL_LENGTH || !URL.canParse(address)) return null;
  const { protocol, username, password, href } = new URL(address);
  // `https://bank.example@other.example` is of the other one.
  return PROTOCOLS.includes(protocol) && !username && !password ? href : null;
}

/**
 * Return whether words are an address on another host than that of a link.
 *
 * @param {string} words
 * @param {string} href
 */
function isOfOtherHost(words, href) {
  const [, scheme, rest] = WRITTEN_ADDRESS.exec(words.trim()) ?? [];
  const written = rest && `${scheme || "https://"}${rest}`;
  return Boolean(written) && URL.canParse(written) && hostOf(written) !== hostOf(href);
}

/** @param {string} address */
const hostOf = (address) => new URL(address).hostname.replace(/^www\./, "");

/**
 * @param {Inline[]} nodes
 * @returns {Inline[]}
 */
function withoutLinks(nodes) {
  return nodes.flatMap((node) => {
    if (typeof node === "string" || node.type === "code") return [node];
    const children = withoutLinks(node.children);
    return node.type === "link" ? children : [{ ...node, children }];
  });
}

/**
 * Return the words of a tree, without its marks.
 *
 * @param {Block[]} blocks
 * @returns {string}
 */
export const blocksText = (blocks) =>
  blocks
    .map((block) => {
      if (block.type === "pre") return block.text;
      if (block.type === "paragraph") return inlineText(block.children);
      const items = block.items.map(({ children, lists }) =>
        [inlineText(children), blocksText(lists)].filter(Boolean).join("\n"),
      );
      return items.join("\n");
    })
    .join("\n");

/**
 * @param {Inline[]} nodes
 * @returns {string}
 */
const inlineText = (nodes) =>
  nodes
    .map((node) => {
      if (typeof node === "string") return node;
      return node.type === "code" ? node.text : inlineText(node.children);
    })
    .join("");

/**
 * Create the nodes of a tree.
 *
 * @param {Block[]} blocks
 * @returns {HTMLElement[]}
 */
export function blockNodes(blocks) {
  return blocks.map((block) => {
    switch (block.type) {
      case "paragraph":
        return el("p", {}, ...inlineNodes(block.children));
      case "pre":
        return el("pre", { tabIndex: 0 }, block.text);
      case "list":
        return listNode(block);
    }
  });
}

/** @param {List} list */
function listNode({ start, items }) {
  const nodes = items.map(({ children, lists }) =>
    el("li", {}, ...inlineNodes(children), ...blockNodes(lists)),
  );
  return start === null ? el("ul", {}, ...nodes) : el("ol", { start }, ...nodes);
}

/**
 * Create the nodes of a tree within a block.
 *
 * @param {Inline[]} inline
 * @returns {(Node | string)[]}
 */
export function inlineNodes(inline) {
  return inline.map((node) => {
    if (typeof node === "string") return node;
    if (node.type === "code") return el("code", {}, node.text);
    if (node.type === "link") return linkNode(node.href, node.children);
    return el(node.type, {}, ...inlineNodes(node.children));
  });
}

/**
 * @param {string} href
 * @param {Inline[]} children
 */
function linkNode(href, children) {
  const node = el("a", { href, rel: "noopener nofollow" }, ...inlineNodes(children));
  // A call or a letter leaves the page where it is.
  if (href.startsWith("http")) node.target = "_blank";
  // Where the words are not the address, it can be seen before it is opened.
  if (!href.includes(node.textContent)) node.title = href;
  return node;
}

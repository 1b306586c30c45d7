/** The rules of the small Markdown of answers: what it shows, and that it shows no more. */

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  blocksText,
  parseInline,
  parseMarkdown,
  safeHref,
} from "../../../entrypoints/web/chat/markdown.js";

const LONGEST = 8_000;

/** A tree as a short text: `<strong bold>`, `<link href|words>`. */
const short = (nodes) =>
  nodes
    .map((node) => {
      if (typeof node === "string") return node;
      if (node.type === "code") return `<code ${node.text}>`;
      if (node.type === "link") return `<link ${node.href}|${short(node.children)}>`;
      return `<${node.type} ${short(node.children)}>`;
    })
    .join("");
const inline = (text, options) => short(parseInline(text, options));
const blocks = (text, options) => parseMarkdown(text, options).map((block) => shortBlock(block));
const shortBlock = (block) => {
  if (block.type === "paragraph") return short(block.children);
  if (block.type === "pre") return { pre: block.text };
  const items = block.items.map(({ children, lists }) =>
    lists.length > 0 ? [short(children), ...lists.map(shortBlock)] : short(children),
  );
  return block.start === null ? { ul: items } : { ol: items, start: block.start };
};

/** Call with every node of a tree. */
function walk(nodes, visit) {
  for (const node of nodes) {
    visit(node);
    if (typeof node === "string") continue;
    walk(node.children ?? [], visit);
    for (const item of node.items ?? []) {
      walk(item.children, visit);
      walk(item.lists, visit);
    }
  }
}

/** The same numbers in every run. */
function* random(seed) {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

const PIECES = [
  ..."*_`[]()<>!\\#-+.1 \n\t\"'&@:/~|",
  ..."ab**__``",
  "**",
  "***",
  "```",
  "](",
  "![",
  "- ",
  "1. ",
  "# ",
  "https://a.example/",
  "http://",
  "javascript:alert(1)",
  "data:text/html,x",
  "mailto:",
  "a@b.example",
  "<script>",
  "\u202e",
  "\ud83d",
  "ă",
  "שלום",
];

function* hostileTexts(count, length) {
  const numbers = random(7);
  const next = () => numbers.next().value;
  for (let n = 0; n < count; n += 1) {
    const pieces = Array.from({ length: 1 + Math.floor(next() * length) }, () => {
      return PIECES[Math.floor(next() * PIECES.length)];
    });
    yield pieces.join("");
  }
}

test("bold, italic, code and links are shown as such", () => {
  assert.equal(inline("a **b** c"), "a <strong b> c");
  assert.equal(inline("__b__ and *c* and _d_"), "<strong b> and <em c> and <em d>");
  assert.equal(inline("***both***"), "<strong <em both>>");
  assert.equal(inline("**a *b* c**"), "<strong a <em b> c>");
  assert.equal(inline("`**a**` ``b`c``"), "<code **a**> <code b`c>");
  assert.equal(
    inline("see [the **menu**](https://a.example/m?x=1)."),
    "see <link https://a.example/m?x=1|the <strong menu>>.",
  );
  assert.equal(inline("[call](tel:+40123)"), "<link tel:+40123|call>");
});

test("what is no mark stays as it was written", () => {
  for (const text of [
    "5*3 = 15, 2 * 3 * 4",
    "snake_case_name",
    "a ** b ** c",
    "**unclosed",
    "`unclosed",
    "[words](not an address)",
    "[words]",
    "****",
    "<b>&amp;</b>",
  ]) {
    assert.equal(inline(text), text);
  }
  assert.equal(inline("\\*not\\* \\a"), "*not* \\a");
});

test("an address in the text is a link, without the sentence around it", () => {
  assert.equal(
    inline("(https://a.example/b_c)."),
    "(<link https://a.example/b_c|https://a.example/b_c>).",
  );
  assert.equal(
    inline("https://a.example/x_(y), ok"),
    "<link https://a.example/x_(y)|https://a.example/x_(y)>, ok",
  );
  assert.equal(
    inline("**https://a.example**"),
    "<strong <link https://a.example/|https://a.example>>",
  );
  assert.equal(
    inline("write to ana.b@bistro.example."),
    "write to <link mailto:ana.b@bistro.example|ana.b@bistro.example>.",
  );
  assert.equal(inline("@ana, a@b, @"), "@ana, a@b, @");
});

test("an image is a link to it, and nothing is loaded", () => {
  assert.equal(inline("![cat](https://a.example/c.png)"), "<link https://a.example/c.png|cat>");
});

test("a link leads only where a link may", () => {
  for (const address of [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "blob:https://a.example/1",
    "/relative",
    "//host.example",
    "https://bank.example@evil.example",
    "https://",
    "https://a.example/" + "a".repeat(2_000),
  ]) {
    assert.equal(safeHref(address), null, address);
    assert.doesNotMatch(inline(`[a](${address})`), /<link [^h]|evil.example\/\|/, address);
  }
});

test("a link that is written as an address leads there, or shows where it does", () => {
  const evil = "<link https://evil.example/|https://evil.example/>";
  for (const words of ["https://bank.example", "www.bank.example/in", "**HTTP://bank.example**"]) {
    assert.equal(inline(`[${words}](https://evil.example)`), evil, words);
  }
  for (const words of ["https://a.example/x", "www.a.example", "Node.js", "https://", "www. a"]) {
    const link = inline(`[${words}](https://a.example/y)`);
    assert.equal(link, `<link https://a.example/y|${words}>`);
  }
});

test("a link has no other link in it", () => {
  assert.equal(
    inline("[https://a.example](https://b.example)"),
    "<link https://b.example/|https://b.example/>",
  );
  assert.equal(
    inline("[a [b](https://b.example)](https://c.example)"),
    "[a <link https://b.example/|b>](<link https://c.example/|https://c.example>)",
  );
});

test("paragraphs, lists, headings and code blocks are blocks", () => {
  const text = [
    "# Tonight",
    "one",
    "two",
    "",
    "- a",
    "  more of a",
    "- b",
    "  - deeper",
    "",
    "- c",
    "---",
    "3. three",
    "4) four",
    "",
    "```js",
    "**x**",
    "```",
    "end",
  ].join("\r\n");

  assert.deepEqual(blocks(text), [
    "<strong Tonight>",
    "one\ntwo",
    { ul: ["a\nmore of a", ["b", { ul: ["deeper"] }], "c"] },
    { ol: ["three", "four"], start: 3 },
    { pre: "**x**" },
    "end",
  ]);
  assert.deepEqual(blocks("2026. A year\n-5 degrees\n* * *"), ["2026. A year\n-5 degrees"]);
});

test("what a screen reader reads has the words and no marks", () => {
  const text = "# A\n**b** [c](https://c.example)\n- d\n  - `e`";
  assert.equal(blocksText(parseMarkdown(text)), "A\nb c\nd\ne");
});

test("a text that is being written is shown as it will be", () => {
  const whole = "Say **two words** and `some code`, [a link](https://a.example/x) or *more*.";
  const final = short(parseInline(whole));
  const words = final.replace(/<\w+ (https\S+\|)?|>/g, "");
  for (let length = 1; length < whole.length; length += 1) {
    const shown = inline(whole.slice(0, length), { isPartial: true });
    const text = shown.replace(/<\w+ (https\S+\|)?|>/g, "");
    assert.ok(words.startsWith(text), `${whole.slice(0, length)} → ${shown}`);
  }
  const blockText = "# A\nOne\n\n- two\n- **three**\n\n2. four\n---\n```\nfive\n```\n* six";
  const finalText = blocksText(parseMarkdown(blockText));
  for (let length = 1; length < blockText.length; length += 1) {
    const shown = blocksText(parseMarkdown(blockText.slice(0, length), { isPartial: true }));
    assert.ok(finalText.startsWith(shown.trimEnd()), `${blockText.slice(0, length)} → ${shown}`);
  }
  assert.equal(inline("**bo", { isPartial: true }), "<strong bo>");
  assert.equal(inline("a [lin", { isPartial: true }), "a lin");
  assert.equal(inline("a [link](https://a.exa", { isPartial: true }), "a link");
  assert.deepEqual(blocks("- a\n- **b", { isPartial: true }), [{ ul: ["a", "<strong b>"] }]);
  assert.deepEqual(blocks("**a\n\nb", { isPartial: true }), ["**a", "b"]);
});

test("no text becomes anything but the few elements there are", () => {
  for (const text of hostileTexts(4_000, 60)) {
    for (const isPartial of [false, true]) {
      walk(parseMarkdown(text, { isPartial }), (node) => {
        if (typeof node === "string") return;
        assert.ok(["paragraph", "pre", "list", "strong", "em", "code", "link"].includes(node.type));
        if (node.type !== "link") return;
        assert.match(node.href, /^(https?:\/\/|mailto:|tel:)/);
        walk(node.children, (child) => assert.notEqual(child.type, "link"));
      });
    }
  }
});

test("no character of a text without marks is lost or made up", () => {
  for (const text of hostileTexts(2_000, 40)) {
    const shown = blocksText([
      { type: "paragraph", children: parseInline(text, { isPlain: true }) },
    ]);
    assert.equal(shown, text);
  }
});

test("letters, digits and spaces are never lost", () => {
  const letters = (text) => text.replace(/[^\p{L}\p{N}]/gu, "");
  for (const hostile of hostileTexts(3_000, 40)) {
    // The addresses of links, names of languages and numbers of items are not shown as text.
    const text = hostile.replace(/[(`\d]/g, " ");
    assert.equal(letters(blocksText(parseMarkdown(text))), letters(text), JSON.stringify(text));
  }
});

test("the longest message takes linear time, whatever is in it", () => {
  const alone = PIECES.map((piece) => piece.repeat(LONGEST).slice(0, LONGEST));
  const pairs = PIECES.flatMap((one) =>
    PIECES.map((other) => (one + other).repeat(LONGEST).slice(0, LONGEST)),
  );
  const nested = [
    "[".repeat(4_000) + "]".repeat(4_000),
    "**a ".repeat(2_000),
    "*a **b ".repeat(1_100),
    "[a](".repeat(2_000) + " x",
    Array.from({ length: 120 }, (_, n) => "`".repeat(n)).join(" "),
    "- a\n  ".repeat(1_300),
    Array.from({ length: 400 }, (_, n) => `${" ".repeat(n % 20)}- a`).join("\n"),
    `https://a.example/${"(".repeat(4_000)}${")".repeat(4_000)}`,
    `# ${"#".repeat(LONGEST)} x`,
    `https://${".".repeat(LONGEST)}x`,
    `${"a".repeat(4_000)}@${"a-".repeat(2_000)}`,
    `${"a.".repeat(4_000)}@b`,
  ];
  const cpuMs = (text) => {
    const begin = process.cpuUsage();
    parseMarkdown(text, { isPartial: true });
    const { user, system } = process.cpuUsage(begin);
    return (user + system) / 1_000;
  };
  // Linear takes a few milliseconds of CPU; quadratic, a second, each time.
  const isSlow = (text) => cpuMs(text) > 150;
  const slow = [...alone, ...nested, ...pairs].filter(isSlow).filter(isSlow).filter(isSlow);
  assert.deepEqual(slow, []);
});

test("the depth of a tree is bounded", () => {
  for (const text of ["**_[".repeat(2_000), "> - ".repeat(2_000), "  - a\n".repeat(3)]) {
    const depth = (node) =>
      typeof node === "string"
        ? 0
        : 1 +
          Math.max(
            0,
            ...(node.children ?? []).map(depth),
            ...(node.items ?? []).flatMap((item) => [...item.children, ...item.lists].map(depth)),
          );
    assert.ok(Math.max(...parseMarkdown(text, { isPartial: true }).map(depth)) < 12);
  }
});

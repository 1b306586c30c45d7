/**
 * Writes the types of client.js, made from its comments, to standard output: one file without
 * imports, that has what is reachable from what the module exports and nothing else.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const ENTRY = join(dirname(fileURLToPath(import.meta.url)), "client/client.js");
const COMPILER = join(
  dirname(createRequire(import.meta.url).resolve("typescript/package.json")),
  "bin/tsc",
);
const OPTIONS = [
  ...["--ignoreConfig", "--allowJs", "--strict", "--noEmit", "false"],
  ...["--target", "es2023", "--module", "es2022", "--moduleResolution", "bundler"],
  ...["--declaration", "--emitDeclarationOnly", "--stripInternal"],
];
/** @returns {string} */
export function declarations() {
  const folder = mkdtempSync(join(tmpdir(), "declarations-"));
  try {
    execFileSync(process.execPath, [COMPILER, ...OPTIONS, "--outDir", folder, ENTRY]);
    const modules = readdirSync(folder).sort();
    const texts = modules.map((name) => readFileSync(join(folder, name), "utf8"));
    return bundled(texts[modules.indexOf("client.d.ts")], texts.join("\n"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/**
 * @param {string} entry
 * @param {string} modules
 */
function bundled(entry, modules) {
  const found = declarationsIn(modules);
  const [, others] = /^export { (.*) };$/m.exec(entry);
  const exported = [...declarationsIn(entry).keys(), ...others.split(", ")];
  // A Set goes on with what is added to it meanwhile.
  const reached = new Set(exported);
  for (const name of reached) {
    const code = found.get(name).replace(/\/\*[^]*?\*\//g, "");
    for (const [word] of code.matchAll(/\w+/g)) if (found.has(word)) reached.add(word);
  }
  // Of classes that the module has to itself, there are only the types.
  const own = (name) => / class /.test(found.get(name)) && !exported.includes(name);
  const texts = [...reached].map((name) => {
    const text = readable(found.get(name));
    return own(name) ? text.replace(/^export declare class/m, "declare class") : text;
  });
  const types = [...reached].filter(own).join(", ");
  return ["/** The types of client.js. */", ...texts, `export type { ${types} };\n`].join("\n\n");
}

/**
 * Return what a text declares, each with the comment before it.
 *
 * @param {string} text
 * @returns {Map<string, string>} by name
 */
function declarationsIn(text) {
  const found = new Map();
  let comment = "";
  for (const part of text.split(/\n(?=\/\*\*|export |declare |import )/)) {
    const [, name] =
      /^(?:export )?(?:declare )?(?:class|const|function|type) (\w+)/.exec(part) ?? [];
    if (name) found.set(name, `${comment}${part.trimEnd()}`);
    comment = part.startsWith("/**") ? `${part}\n` : "";
  }
  return found;
}

/**
 * Return a declaration without the types in its comments, which the code has.
 *
 * @param {string} text
 */
const readable = (text) =>
  text
    .replace(/^ *\* @(?:extends|template|protected|returns|type|typedef)\b.*\n/gm, "")
    .replace(/^( *\* @(?:param|property)) \{.*\} (\S+) *\n/gm, "")
    .replace(/(@(?:param|property)) \{.*?\} /g, "$1 ")
    .replace(/^ *\/\*\* @(?:returns|param|type) .*\*\/\n/gm, "")
    .replace(/^ *\*\n(?= *\*\/)/gm, "")
    .replace(/^ *\/\*\*\n *\*\/\n/gm, "");

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(declarations().trimEnd());

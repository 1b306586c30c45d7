/**
 * Builds what other people's pages load, into dist/ or the folder that is given.
 *
 * The same sources give the same bytes. What is fetched by a name with a hash is named after its
 * own content, and may be kept for ever; the others name those.
 */

import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { build, transform } from "esbuild";

import { declarations } from "./declarations.mjs";

const WEB = dirname(fileURLToPath(import.meta.url));
const TARGET = "es2022";

/** Imports of styles are the text of a style sheet. */
const styles = {
  name: "styles",
  setup(builder) {
    builder.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      const { code } = await transform(source, { loader: "css", minify: true, target: TARGET });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

/**
 * Leave the imports of a source to the browser, which finds it under another name.
 *
 * @param {string} source
 * @param {string} name
 */
const external = (source, name) => ({
  name: "external",
  setup(builder) {
    builder.onResolve({ filter: /\.js$/ }, ({ path, resolveDir }) =>
      resolve(resolveDir, path) === join(WEB, source) ? { path: name, external: true } : null,
    );
  },
});

/**
 * Return one bundle as text.
 *
 * @param {string} entry
 * @param {import("esbuild").BuildOptions} options
 */
async function bundle(entry, { plugins = [], ...options }) {
  const { outputFiles } = await build({
    absWorkingDir: WEB,
    entryPoints: [entry],
    bundle: true,
    write: false,
    minify: true,
    charset: "utf8",
    format: "esm",
    target: TARGET,
    legalComments: "none",
    logLevel: "warning",
    plugins: [styles, ...plugins],
    ...options,
  });
  return outputFiles[0].text;
}

/**
 * @param {string} stem
 * @param {string} text
 */
function hashedName(stem, text) {
  return `${stem}-${createHash("sha256").update(text).digest("hex").slice(0, 12)}.js`;
}

/** @returns {Promise<Record<string, string>>} the built files by name */
async function built() {
  const panel = await bundle("widget/panel.js", {});
  const panelName = hashedName("panel", panel);
  const page = await bundle("page/page.js", {
    plugins: [external("widget/panel.js", `./${panelName}`)],
  });
  return {
    "client.js": await bundle("client/client.js", {}),
    "client.d.ts": declarations(),
    [panelName]: panel,
    [hashedName("page", page)]: page,
    "widget.js": await bundle("widget/widget.js", {
      format: "iife",
      define: { PANEL_PATH: JSON.stringify(`web/dist/${panelName}`) },
    }),
  };
}

const folder = process.argv[2] ? resolve(process.argv[2]) : join(WEB, "dist");
const files = await built();
await mkdir(folder, { recursive: true });
for (const name of await readdir(folder)) {
  if (!(name in files) && /\.(js|d\.ts)$/.test(name)) await rm(join(folder, name));
}
for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);

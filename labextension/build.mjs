// Makes the bundles that the Python package ships: the view as an ES module for front ends,
// what starts it in a page of its own, and the sidebar, which loads it.
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { build } from "esbuild";

const sidebar = "../kernel_ext/data/labextension";
const assets = "../kernel_ext/nbdurable/timeline/assets";
const shared = {
  bundle: true,
  minify: true,
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
};

await build({ ...shared, format: "esm", entryPoints: ["src/view/index.ts"], outfile: `${assets}/view.js` });
await build({ ...shared, format: "iife", globalName: "page", entryPoints: ["src/view/page.ts"], outfile: `${assets}/page.js` });
await build({ ...shared, format: "iife", entryPoints: ["src/lab/remote.ts"], outfile: `${sidebar}/static/remoteEntry.js` });

// A browser keeps what it loaded, so an address is used for one content only.
const loaded = createHash("sha256");
for (const file of [`${assets}/view.js`, `${sidebar}/static/remoteEntry.js`]) loaded.update(await readFile(file));
const told = JSON.parse(await readFile("src/lab/about.json", "utf8"));
told.jupyterlab._build = { load: `static/remoteEntry.js?v=${loaded.digest("hex").slice(0, 16)}`, extension: "./extension" };
await writeFile(`${sidebar}/package.json`, `${JSON.stringify(told, null, 2)}\n`);

// The build: one HTML file with its script and style inside, and a policy that lets nothing else in.

import { createHash } from "node:crypto";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { filledIn } from "./test/page.ts";
import { story } from "./test/story.ts";

const OUT = fileURLToPath(new URL("../python/groundup/view", import.meta.url));

export default defineConfig({
  plugins: [singleFile("page.html"), sampleData()],
  build: { outDir: OUT, emptyOutDir: false, target: "es2022", modulePreload: false, assetsInlineLimit: 0 },
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/*.test.ts"] } },
      {
        test: {
          name: "browser",
          include: ["test/browser/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

/** Puts the script and the style into the page, named in its policy by their hashes: no other can run. */
function singleFile(fileName: string): Plugin {
  return {
    name: "single-file",
    apply: "build",
    enforce: "post",
    generateBundle(_, bundle) {
      const text = { script: "", style: "", page: "" };
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") text.script += file.code.trim().replaceAll("</script", "<\\/script");
        else if (name.endsWith(".css")) text.style += String(file.source).trim();
        else if (name.endsWith(".html")) text.page = String(file.source);
        delete bundle[name];
      }
      const policy = `default-src 'none'; script-src '${hash(text.script)}'; style-src '${hash(text.style)}'; base-uri 'none'; form-action 'none'`;
      const page = text.page
        .replace(/\s*<script type="module"[^>]*src=[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
        .replace("<!--policy-->", `<meta http-equiv="Content-Security-Policy" content="${policy}">`)
        .replace("<!--style-->", () => `<style>${text.style}</style>`)
        .replace("<!--script-->", () => `<script type="module">${text.script}</script>`);
      this.emitFile({ type: "asset", fileName, source: page });
    },
  };
}

function hash(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}

/** While the page is being worked on, it shows a recording made up for the purpose. */
function sampleData(): Plugin {
  return {
    name: "sample-data",
    apply: "serve",
    transformIndexHtml: (html) => filledIn(html, story().bytes()),
  };
}

import node from "@astrojs/node";
import { defineConfig } from "astro/config";

export default defineConfig({
  output: "server",
  adapter: node({ mode: "middleware" }),
  security: { allowedDomains: [{ hostname: "127.0.0.1" }] },
});

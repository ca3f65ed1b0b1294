import type { NextConfig } from "next";

export default {
  experimental: { authInterrupts: true },
  // The package and the shop lie above this folder.
  turbopack: { root: `${import.meta.dirname}/../..` },
  poweredByHeader: false,
} satisfies NextConfig;

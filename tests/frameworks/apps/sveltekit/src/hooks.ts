// For the suite of all adapters, whose paths are others than the shop's.
export const reroute = ({ url }: { url: URL }) =>
  globalThis.process?.env.SUITE ? `/work${url.pathname}` : url.pathname;

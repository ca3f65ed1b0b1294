import type { Campaign } from "./_campaign.ts";
import { cookieRead } from "./cookie_read.ts";
import { cookieClear, cookieWrite } from "./cookie_write.ts";
import { corpora } from "./corpora.ts";
import { headerRead } from "./header_read.ts";
import { linear } from "./linear.ts";
import { tossing } from "./tossing.ts";

/** Every campaign, in the order in which they run. */
export const CAMPAIGNS: readonly Campaign[] = [
  cookieRead,
  cookieWrite,
  cookieClear,
  corpora,
  headerRead,
  linear,
  tossing,
];

import type { Campaign } from "./_campaign.ts";
import { cookieRead } from "./cookie_read.ts";

/** Every campaign, in the order in which they run. */
export const CAMPAIGNS: readonly Campaign[] = [
  cookieRead,
];

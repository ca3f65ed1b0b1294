import type { Campaign } from "./_campaign.ts";
import { cookieRead } from "./cookie_read.ts";
import { cookieClear, cookieWrite } from "./cookie_write.ts";
import { corpora } from "./corpora.ts";
import { dataRecords, dataStrings } from "./data_corpora.ts";
import { dataPlain, dataStructured } from "./data_values.ts";
import { forgeryBlobs } from "./forgery_blobs.ts";
import { forgeryChanges } from "./forgery_changes.ts";
import { forgeryNonces } from "./forgery_nonces.ts";
import { forgeryReplays } from "./forgery_replays.ts";
import { headerRead } from "./header_read.ts";
import { idsFlood } from "./ids_flood.ts";
import { idsInvented } from "./ids_invented.ts";
import { idsMade } from "./ids_made.ts";
import { leaksQuoted } from "./leaks_quoted.ts";
import { linear } from "./linear.ts";
import { recordHeaders, recordTexts } from "./record_headers.ts";
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
  idsMade,
  idsInvented,
  idsFlood,
  forgeryChanges,
  forgeryBlobs,
  forgeryReplays,
  forgeryNonces,
  leaksQuoted,
  dataStrings,
  dataRecords,
  dataPlain,
  dataStructured,
  recordHeaders,
  recordTexts,
];

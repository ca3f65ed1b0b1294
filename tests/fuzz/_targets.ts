/** What is mutated, and the unit tests that have to notice. */
export interface Target {
  sources: readonly string[];
  tests: readonly string[];
}

const LIFECYCLE = [
  "tests/lifecycle_test.ts",
  "tests/lifecycle_commit_test.ts",
  "tests/lifecycle_expiry_test.ts",
  "tests/rotation_test.ts",
  "tests/update_test.ts",
  "tests/tossing_test.ts",
  "tests/faults_test.ts",
  "tests/session_test.ts",
  "tests/fetch_door_test.ts",
  "tests/testing/broken_lifecycles_test.ts",
];

export const TARGETS: Readonly<Record<string, Target>> = {
  grammar: {
    sources: [
      "state/_cookie_header.ts",
      "state/_headers.ts",
      "state/_set_cookie.ts",
      "state/bearer.ts",
      "state/cookie.ts",
      "state/header.ts",
    ],
    tests: ["tests/cookie_state_test.ts", "tests/states_test.ts"],
  },
  codec: {
    sources: ["_codec.ts", "_merge.ts"],
    tests: ["tests/merge_test.ts", ...LIFECYCLE],
  },
  lifecycle: {
    sources: ["lifecycle.ts", "_exchange.ts", "_session_records.ts", "_control.ts", "_data.ts"],
    tests: ["tests/merge_test.ts", ...LIFECYCLE],
  },
  crypto: {
    sources: [
      "_id.ts",
      "store/_hash.ts",
      "store/_seal_base64.ts",
      "store/_seal_format.ts",
      "store/_seal_keys.ts",
      "store/_seal_pagi.ts",
    ],
    tests: [
      "tests/id_test.ts",
      "tests/hashed_store_test.ts",
      "tests/seal_base64_test.ts",
      "tests/seal_keys_test.ts",
      "tests/seal_pagi_test.ts",
      "tests/seal_test.ts",
      "tests/sealed_store_test.ts",
      "tests/sealed_store_tampering_test.ts",
    ],
  },
};

/** What is mutated, and the unit tests that have to notice. */
export interface Target {
  sources: readonly string[];
  tests: readonly string[];
}

const LIFECYCLE = [
  "tests/builder_test.ts",
  "tests/cache_headers_test.ts",
  "tests/cause_test.ts",
  "tests/cookie_store_options_test.ts",
  "tests/cookie_store_test.ts",
  "tests/fixation_test.ts",
  "tests/invented_ids_test.ts",
  "tests/leaks_test.ts",
  "tests/legacy_sessions_test.ts",
  "tests/merge_test.ts",
  "tests/open_test.ts",
  "tests/revocations_test.ts",
  "tests/subject_index_test.ts",
  "tests/subject_sessions_test.ts",
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
    tests: LIFECYCLE,
  },
  lifecycle: {
    sources: [
      "lifecycle.ts",
      "_exchange.ts",
      "_session_reader.ts",
      "_session_records.ts",
      "_store_face.ts",
      "_plain_face.ts",
      "_sealing_face.ts",
      "_control.ts",
      "_data.ts",
    ],
    tests: LIFECYCLE,
  },
  subjects: {
    sources: ["_subject_index.ts", "_subject_sessions.ts"],
    tests: [
      "tests/subject_index_test.ts",
      "tests/subject_sessions_test.ts",
      "tests/rotation_test.ts",
      "tests/update_test.ts",
      "tests/lifecycle_test.ts",
    ],
  },
  crypto: {
    sources: [
      "_id.ts",
      "_hex.ts",
      "store/_at_rest.ts",
      "store/_at_rest_cache.ts",
      "store/_at_rest_keys.ts",
      "store/_at_rest_seal.ts",
      "_base64.ts",
      "store/_seal_format.ts",
      "store/_seal_hourly.ts",
      "store/_seal_keys.ts",
      "store/_seal_pagi.ts",
    ],
    tests: [
      "tests/at_rest_cache_test.ts",
      "tests/at_rest_wrappers_test.ts",
      "tests/cookie_store_options_test.ts",
      "tests/cookie_store_test.ts",
      "tests/hex_test.ts",
      "tests/id_test.ts",
      "tests/keys_test.ts",
      "tests/hashed_store_test.ts",
      "tests/base64_test.ts",
      "tests/seal_keys_test.ts",
      "tests/seal_pagi_test.ts",
      "tests/seal_test.ts",
      "tests/sealed_store_test.ts",
      "tests/sealed_store_tampering_test.ts",
    ],
  },
};

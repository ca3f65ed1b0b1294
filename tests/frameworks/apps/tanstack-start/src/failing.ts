import { notFound } from "@tanstack/react-router";
import { createServerFn } from "@tanstack/react-start";
import { latePart, useEndedSession } from "../../_shop.ts";

export const fail = createServerFn({ method: "POST" }).handler(
  ({ context: { session } }) => {
    session.set("items", ["never saved"]);
    throw new Error("boom");
  },
);

export const refuse = createServerFn({ method: "POST" }).handler(
  ({ context: { session } }) => {
    session.set("items", ["never saved"]);
    throw Object.assign(new Error("Not you"), { status: 403 });
  },
);

export const getBroken = createServerFn().handler(
  ({ context: { session } }) => {
    session.set("items", ["never saved"]);
    throw new Error("boom");
  },
);

export const getForbidden = createServerFn().handler(
  ({ context: { session } }) => {
    session.set("items", ["never saved"]);
    throw notFound();
  },
);

export const getSavedThenBroken = createServerFn().handler(
  async ({ context: { session } }) => {
    session.set("items", ["saved"]);
    await session.save();
    throw new Error("boom");
  },
);

export const getInterrupted = createServerFn().handler(useEndedSession);

export const getStream = createServerFn().handler(
  ({ context: { session } }) => {
    session.set("items", ["streamed"]);
  },
);

export const getLate = createServerFn().handler(latePart);

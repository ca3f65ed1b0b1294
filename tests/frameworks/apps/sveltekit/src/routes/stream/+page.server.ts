import { latePart } from "../../../../_shop.ts";

export const load = ({ locals: { session } }) => {
  session.set("items", ["streamed"]);
  return { late: latePart() };
};

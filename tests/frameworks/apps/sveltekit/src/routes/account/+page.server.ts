import { redirect } from "@sveltejs/kit";

export const load = ({ locals: { session } }) => {
  if (session.subject === undefined) redirect(303, "/");
  return { name: session.get("name") };
};

import { redirect } from "@sveltejs/kit";

export const load = () => redirect(303, "/");

export const actions = {
  default: ({ locals: { session } }) => {
    session.destroy();
    redirect(303, "/");
  },
};

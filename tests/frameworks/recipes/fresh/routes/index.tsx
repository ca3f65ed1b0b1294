import { define } from "../utils.ts";

export default define.page(({ state: { session } }) => {
  const name = session.get("name", undefined);
  if (name === undefined) {
    return (
      <form method="post" action="/login">
        <input name="name" /> <button>Sign in</button>
      </form>
    );
  }
  return (
    <form method="post" action="/logout">
      <h1>Hello, {name}</h1>
      <button>Sign out</button>
    </form>
  );
});

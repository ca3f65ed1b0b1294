export default defineEventHandler((event) => {
  const { session } = event.context;
  return {
    name: session.get("name", undefined),
    items: session.get("items", []),
    messages: session.takeFlash("info"),
  };
});

export default defineEventHandler((event) => {
  const { session } = event.context;
  return { name: session.get("name", undefined), messages: session.takeFlash("info") };
});

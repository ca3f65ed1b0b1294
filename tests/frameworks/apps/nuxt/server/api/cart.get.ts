export default defineEventHandler((event) => event.context.session.get("items", []));

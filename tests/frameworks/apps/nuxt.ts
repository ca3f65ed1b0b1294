const [port] = process.argv.slice(2);
Object.assign(process.env, { HOST: "127.0.0.1", PORT: port });
console.log(`listening ${port}`);
await import("./nuxt/.output/server/index.mjs" as string);

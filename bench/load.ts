/** A small load generator: keeps a number of connections busy with GET requests. */
import { connect, type Socket } from "node:net";

/** The requests to make. */
export interface LoadOptions {
  port: number;
  /** The Cookie headers that requests bring, in turn; none if it is empty. */
  cookies: readonly string[];
  /** How many requests to make in all. */
  requests: number;
}

const CONNECTIONS = 32;

/**
 * Makes the requests.
 *
 * @throws {Error} If an answer has a status other than 200, or no Content-Length.
 */
export async function load({ port, cookies, requests }: LoadOptions): Promise<void> {
  const headers = cookies.length === 0 ? [""] : cookies.map((cookie) => `Cookie: ${cookie}\r\n`);
  const texts = headers.map((header) => `GET / HTTP/1.1\r\nHost: localhost\r\n${header}\r\n`);
  let started = 0;
  const next = () => started < requests ? texts[started++ % texts.length] : undefined;
  await Promise.all(Array.from({ length: CONNECTIONS }, () => keepBusy(connect(port), next)));
}

/** Sends one request after the other on a connection, until there are no more. */
function keepBusy(socket: Socket, next: () => string | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const send = () => {
      const text = next();
      if (text === undefined) socket.end(resolve);
      else socket.write(text);
    };
    socket.setEncoding("latin1").setNoDelay(true);
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("The server closed a connection")));
    socket.on("data", (chunk: string) => {
      answer += chunk;
      const end = answer.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = /^content-length: *(\d+)/im.exec(answer)?.[1];
      if (!answer.startsWith("HTTP/1.1 200 ") || length === undefined) {
        reject(new Error(`A server under load answered: ${answer}`));
        socket.destroy();
      } else if (answer.length >= end + 4 + Number(length)) {
        answer = "";
        send();
      }
    });
  });
}

import { createServer, type Server } from 'node:http';
import type { Express } from 'express';

/** A port that somebody else has. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
  readonly port: number;

  constructor(port: number) {
    super(`port ${port} is taken`);
    this.port = port;
  }
}

/**
 * Listens on a host and port (0: any free one).
 * @throws PortTaken
 */
export function listen(app: Express, host: string, port: number): Promise<Server> {
  const server = createServer(app);
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken(port) : error);
    });
    server.listen(port, host, () => resolve(server));
  });
}

/** How often connections that became idle are looked for, while a server ends. */
const IDLE_MS = 10;

/** Ends a server: requests under way are answered first, idle connections closed. */
export function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // A connection that is busy now is kept afterwards, and a caller may never let it rest.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_MS);
    server.close(() => {
      clearInterval(sweep);
      resolve();
    });
    server.closeIdleConnections();
  });
}

import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a request that takes too long hears, as Node itself says it. */
const TOO_SLOW = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n';

/** How long the rest of a request may take to come. */
export interface Arrival {
  /** From now on as long as it likes, but with no pause of more than twice `ms`. */
  allowPauses(ms: number): void;
}

/**
 * Ends a connection whose request has not come in full after `ms`: whoever holds many of them open for nothing would
 * keep others out. Who waits for an answer is not concerned.
 */
export function limitArrival(request: IncomingMessage, response: ServerResponse, ms: number): Arrival {
  const { socket } = request;
  const cutOff = () => {
    if (request.complete) return;
    if (!response.headersSent) socket.write(TOO_SLOW);
    request.destroy();
  };
  // A connection keeps the process, its timer does not.
  let timer = setTimeout(cutOff, ms).unref();
  request.once('close', () => clearTimeout(timer));
  return {
    allowPauses(pauseMs) {
      let seen = socket.bytesRead;
      clearTimeout(timer);
      timer = setInterval(() => {
        // It may have closed before, and whoever reads no further than the end of a form never hears that it has.
        if (request.complete || request.destroyed) clearInterval(timer);
        else if (socket.bytesRead === seen) cutOff();
        seen = socket.bytesRead;
      }, pauseMs).unref();
    },
  };
}

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
  let timer = setTimeout(cutOff, ms);
  request.once('close', () => clearTimeout(timer));
  return {
    allowPauses(pauseMs) {
      let seen = socket.bytesRead;
      clearTimeout(timer);
      // A small one may have come in full by now, and then nothing would end the timer.
      if (request.closed) return;
      timer = setInterval(() => {
        if (socket.bytesRead === seen) cutOff();
        seen = socket.bytesRead;
      }, pauseMs);
    },
  };
}

/** An event as a line of a log: all that a careless logger would write of it. */
export const lineOf = ({ error, ...event }) =>
  [JSON.stringify(event), error && `${error.stack} ${JSON.stringify(error)} ${error.cause?.stack}`].join(' ');

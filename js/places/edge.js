/** What every edge worker has in common: no visitor's hands, no shared polls, and no environment of the process. */

export const inBrowser = () => false;
export const Subscriber = undefined;
export const fillFromEnvironment = undefined;

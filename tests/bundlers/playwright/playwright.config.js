/** What the sample's reader has: a page, and a browser. */

export default {
  use: { baseURL: process.env.PAGE, launchOptions: { executablePath: process.env.CHROMIUM } },
};

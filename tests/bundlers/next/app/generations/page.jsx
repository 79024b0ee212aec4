/** A component of the server, which may import the hooks and leaves them to the page. */

import { GenerationsProvider } from 'lemondata-wasm/react';
import { Picture } from './picture.jsx';
import { Providers } from './providers.jsx';

export default function Page() {
  return (
    <Providers>
      <h1>{typeof GenerationsProvider}</h1>
      <Picture />
    </Providers>
  );
}

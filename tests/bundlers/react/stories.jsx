/** Shows the stories as Storybook does: the component of the file, with the arguments of each export. */

import { createRoot } from 'react-dom/client';
import * as stories from './sample/Cover.stories.jsx';

const { default: meta, ...named } = stories;
for (const [name, { args }] of Object.entries(named)) {
  const place = document.createElement('div');
  place.id = name;
  document.body.append(place);
  createRoot(place).render(<meta.component {...meta.args} {...args} />);
}

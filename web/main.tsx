import { render } from 'preact';
import { App } from './app.js';
import { followTheme } from './lib/theme.js';
import 'uplot/dist/uPlot.min.css';
import './style.css';

followTheme();
render(<App />, document.getElementById('app')!);

// A section that waits for the device is not there yet when the browser looks for the heading that the address names.
const heading = location.hash.slice(1);
const watch = new MutationObserver(scrollToHeading);

function scrollToHeading(): void {
  const found = document.getElementById(heading);
  if (found === null) return;
  watch.disconnect();
  found.scrollIntoView();
}

if (heading !== '') {
  watch.observe(document.body, { childList: true, subtree: true });
  scrollToHeading();
}

/**
 * Resolves once the page has painted something to read, and with the first of two seconds that it has not: a tab that is not in front paints
 * nothing. What the first picture does not need leaves the cores to it until then.
 */
export const painted: Promise<void> = new Promise((resolve) => {
  const observer = new PerformanceObserver((list) => {
    if (list.getEntriesByName('first-contentful-paint').length === 0) return;
    observer.disconnect();
    resolve();
  });
  observer.observe({ type: 'paint', buffered: true });
  setTimeout(resolve, 2_000);
});

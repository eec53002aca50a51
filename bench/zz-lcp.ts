import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../apps/api/test/system/backfills.ts';
import { NowPage } from '../playwright/pages/now-page.ts';
import { openControlRoom } from './control-room.ts';
import { halfYear, quietSystem } from './flights.ts';

const system = await quietSystem();
const room = await openControlRoom(system);
try {
  await startBackfill(system, { window: halfYear, subwindow: 'PT10S', limits: { eventsPerSecond: 2_000 } });
  const { page, devtools } = room;
  for (let n = 0; n < 4; n++) {
    await page.goto('about:blank');
    if (n === 3) {
      await devtools.send('Profiler.enable');
      await devtools.send('Profiler.setSamplingInterval', { interval: 500 });
      await devtools.send('Profiler.start');
    }
    await new NowPage(page).open();
    await delay(3_000);
    if (n === 3) {
      const { profile } = await devtools.send('Profiler.stop');
      writeFileSync('/tmp/b/lcp.cpuprofile', JSON.stringify(profile));
    }
    console.log(
      JSON.stringify(
        await page.evaluate(
          () =>
            new Promise((resolve) => {
              new PerformanceObserver((list) => {
                const nav = performance.getEntriesByType('navigation')[0] as any;
                resolve({
                  lcp: list
                    .getEntries()
                    .map((e: any) => [
                      Math.round(e.startTime),
                      e.size,
                      e.element?.tagName,
                      e.element?.className?.slice?.(0, 40),
                      e.element?.textContent?.slice(0, 60),
                    ]),
                  nav: [
                    nav.responseStart,
                    nav.responseEnd,
                    nav.domInteractive,
                    nav.domContentLoadedEventEnd,
                  ].map(Math.round),
                  paint: performance.getEntriesByType('paint').map((e) => [e.name, Math.round(e.startTime)]),
                  res: performance
                    .getEntriesByType('resource')
                    .map((e: any) => [
                      e.name.replace(location.origin, '').slice(0, 70),
                      Math.round(e.startTime),
                      Math.round(e.responseStart),
                      Math.round(e.responseEnd),
                      e.transferSize,
                    ]),
                });
              }).observe({ type: 'largest-contentful-paint', buffered: true });
            }),
        ),
      ),
    );
  }
} finally {
  await room.close();
  await system.remove();
}

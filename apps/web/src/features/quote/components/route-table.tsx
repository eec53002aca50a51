import type { Quote } from '@spillway/shared/api/quote';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import styles from '../../cost/components/cost.module.css';
import { routeLines } from '../model/quote-words.ts';

/** What the run would do on a stream of its own, and on the one that live uses. */
export function RouteTable({ route }: { readonly route: Quote['route'] }) {
  return (
    <div>
      <table className={styles.table} data-wrap>
        <SpokenCaption>A separate stream against a shared one</SpokenCaption>
        <thead>
          <tr>
            <th scope="col">Route</th>
            <th scope="col">Separate</th>
            <th scope="col">Shared</th>
          </tr>
        </thead>
        <tbody>
          {routeLines(route).map(({ title, separate, shared }) => (
            <tr key={title}>
              <th scope="row">{title}</th>
              <td>{separate}</td>
              <td>{shared}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

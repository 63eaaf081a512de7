import { at } from '../../shell/paths.ts'
import { ButtonLink } from '../../ui/button.tsx'
import { Section } from '../../ui/layout.tsx'
import { inFull } from '../../ui/number.ts'
import { Table } from '../../ui/table.tsx'
import { canOpen } from '../index.ts'
import { ranked } from '../refusal-codes.ts'
import type { Stats } from './period.ts'

type Product = Stats['embeds']['products'][number]

const NAMES: Readonly<Record<string, string>> = {
  databrain: 'DataBrain',
  databrain_proxy: 'DataBrain proxy',
  boldbi: 'Bold BI',
  dxfeed: 'dxFeed',
  user_reference: 'User references'
}

/** The credentials of embedded products that users asked for. */
export function Embeds ({ embeds: { products } }: { embeds: Stats['embeds'] }) {
  return (
    <Section
      title='Embeds' lead='Credentials for dashboards and widgets in your pages.'
      actions={canOpen('embeds') ? <ButtonLink kind='ghost' href={at('embeds')}>All embeds</ButtonLink> : undefined}
    >
      {products.length === 0
        ? <p class='soft'>No credential was requested in this period.</p>
        : (
          <Table
            caption='Credentials by product' rows={products} keyOf={({ product }) => product}
            columns={[
              { title: 'Product', cell: ({ product }) => NAMES[product] ?? product },
              { title: 'New', kind: 'number', cell: ({ minted }) => inFull(minted) },
              { title: 'From cache', kind: 'number', cell: ({ cached }) => inFull(cached) },
              { title: 'Refused', kind: 'number', cell: (product) => <Refused product={product} /> }
            ]}
          />
          )}
    </Section>
  )
}

function Refused ({ product: { refused, refused_by_code: counts } }: { product: Product }) {
  if (refused === 0) return <span class='soft'>0</span>
  const codes = ranked(counts)
  return (
    <span class='stacked'>
      <span class='refused'>{inFull(refused)}</span>
      {codes.slice(0, 3).map(([code, count]) => (
        <small key={code} class='soft code-count'>{codes.length === 1 ? '' : `${inFull(count)} `}<code>{code}</code></small>
      ))}
    </span>
  )
}

import type { ComponentChildren } from 'preact'

import { useLocation } from 'preact-iso'

import type { Page, Query } from '../api/use-query.ts'
import { ErrorNotice, Loading } from './states.tsx'

export interface Column<Item> {
  title: string
  cell (item: Item): ComponentChildren
  /** Numbers are aligned at the end. Default: `text`. */
  kind?: 'text' | 'number' | 'actions'
}

interface TableProps<Item> {
  /** What the rows are, for screen readers: "Sources". */
  caption: string
  columns: ReadonlyArray<Column<Item>>
  rows: readonly Item[]
  keyOf (item: Item): string
}

// A phone shows each row as a card, by CSS. Without the roles that would take the table away from screen readers.
export function Table<Item> ({ caption, columns, rows, keyOf }: TableProps<Item>) {
  return (
    <table class='table' role='table'>
      <caption class='visually-hidden'>{caption}</caption>
      <thead role='rowgroup'>
        <tr role='row'>
          {columns.map(({ title, kind = 'text' }) => (
            <th key={title} role='columnheader' scope='col' class={kind}>
              {kind === 'actions' ? <span class='visually-hidden'>{title}</span> : title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role='rowgroup'>
        {rows.map((item) => (
          <tr key={keyOf(item)} role='row'>
            {columns.map(({ title, kind = 'text', cell }) => (
              <td key={title} role='cell' class={kind} data-title={title}>{cell(item)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface PagedProps<Item> {
  query: Query<Page<Item>>
  /** Shown if there is nothing at all. */
  empty: ComponentChildren
  children (rows: readonly Item[]): ComponentChildren
}

/**
 * A page of a list of the admin API, in any form, with links to the others. The cursor is in the URL, so that the back
 * button, a reload and a link show the same page: read it with `useCursor`.
 */
export function Paged<Item> ({ query, empty, children }: PagedProps<Item>) {
  const { path, query: parameters } = useLocation()
  const { data, error, loading, reload } = query
  if (data === undefined) {
    return error === undefined ? <Loading lines={6} /> : <ErrorNotice error={error} retry={reload} />
  }
  const isFirst = parameters['cursor'] === undefined
  const linkTo = (cursor?: string) => {
    const { cursor: _former, ...others } = parameters
    const search = new URLSearchParams({ ...others, ...cursor === undefined ? {} : { cursor } }).toString()
    return search === '' ? path : `${path}?${search}`
  }
  return (
    <div aria-busy={loading}>
      <ErrorNotice error={error} retry={reload} />
      {data.data.length > 0 ? children(data.data) : null}
      {data.data.length > 0 ? null : isFirst && !data.has_more ? empty : <p class='soft'>No more.</p>}
      {isFirst && !data.has_more
        ? null
        : (
          <nav class='pager' aria-label='Pages'>
            {isFirst ? <span /> : <a class='button secondary' href={linkTo()}>Newest</a>}
            {data.next_cursor === null ? null : <a class='button secondary' href={linkTo(data.next_cursor)}>Older</a>}
          </nav>
          )}
    </div>
  )
}

type ListProps<Item> = Omit<TableProps<Item>, 'rows'> & Omit<PagedProps<Item>, 'children'>

/** A table of a list of the admin API that pages by cursor. */
export function List<Item> ({ query, empty, ...table }: ListProps<Item>) {
  return <Paged query={query} empty={empty}>{(rows) => <Table {...table} rows={rows} />}</Paged>
}

/** The cursor in the URL; `undefined` on the first page. */
export function useCursor (): string | undefined {
  return useLocation().query['cursor']
}

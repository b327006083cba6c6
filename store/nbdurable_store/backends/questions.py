"""What is asked of ``store.duckdb``, as SQL."""

from __future__ import annotations

OF_RUN = """
    select e.owner, e.seq, e.byte, e.prev_mac, e.mac, e.head
      from store.main.entries e
      left join (select unnest(?::varchar[]) as owner, unnest(?::ubigint[]) as next_seq)
             a on a.owner = e.owner
     where e.run = ? and e.seq >= coalesce(a.next_seq, 0)
"""
OF_RUN_WITH = """
    select e.owner, e.seq, e.byte, e.prev_mac, e.mac, e.head
      from store.main.entries e
      left join (select unnest(?::varchar[]) as owner, unnest(?::ubigint[]) as next_seq)
             a on a.owner = e.owner
     where e.run = ? and e.seq >= coalesce(a.next_seq, 0)
       and (e.kind not in ('call.started', 'call.completed', 'call.raised')
            or e.subject in (select subject from store.main.entries
                              where run = ? and kind = 'call.started'
                                and contains(head::varchar, ?)))
"""
"""A head is bytes, and as text each of its quotes is written as ``NAME_AS_TEXT`` has it."""
NAME_AS_TEXT = r"\x22{}\x22:"
OF_KINDS = """
    select e.owner, e.seq, e.byte, e.prev_mac, e.mac, e.head
      from store.main.entries e
      left join (select unnest(?::varchar[]) as owner, unnest(?::ubigint[]) as next_seq)
             a on a.owner = e.owner
     where e.kind in (select unnest(?::varchar[])) and e.seq >= coalesce(a.next_seq, 0)
"""
WITH_KEYS = """
    select owner, seq, byte, prev_mac, mac, head
      from store.main.entries
     where rowid in (select rowid from store.main.entries
                      where key8 in (select unnest(?::ubigint[])))
"""
"""First the rows, by one column, then their heads: ten times faster than at once."""
KEY_BEGINNINGS = """
    select distinct key8 from store.main.entries where key8 is not null limit ?
"""
KEYS_MAX = 1_000_000
"""So many take 60 MB; with more, every lookup asks DuckDB, which takes 5 ms."""
ROWS = "select * from store.main.entries where owner = ? and seq >= ? and seq < ?"
ROWS_OF = """
    select count(*) from store.main.entries
     where run in (select unnest(?::varchar[])) and kind <> ?
"""
INLINE = """
    select byte + octet_length(head), body
      from store.main.entries where owner = ? and seq = ?
"""

"""What FETCH, SEARCH, SORT and THREAD say of messages, out of their octets and structures; all of it pure."""

"""Model calls over HTTP, journaled where httpx sends them."""

"""Other people's libraries, each optional, none knows another."""

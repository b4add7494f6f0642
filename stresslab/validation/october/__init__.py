"""10 October 2025: facts of the day, a market fitted to BTC, and what policies would have taken."""

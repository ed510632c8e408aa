"""Through whom it is said: gateways, the providers behind them and the network between."""

"""What the tests share and is no test: settings of a whole bot, fakes, samples and readers of what it wrote."""

"""What goes wrong between the bedside and the topic: late, corrected, retracted, doubled and broken messages."""

"""What do customers do, from the first contact to the last, and where do they turn away?"""

namespace Skep.ClassicTests.Uml;

/// <summary>One line to the guest: call this method, or run these words in bash.</summary>
/// <param name="Type">Assembly-qualified; null for a script.</param>
/// <param name="Argument">The method's only one, as JSON; null when it has none.</param>
public sealed record UmlCall(int Number, string? Type, string? Method, string? Script, string? Argument = null);

/// <summary>One line from the guest: it is ready (number 0), or what became of the call.</summary>
/// <param name="Error">What the method threw, with its stack; null if all went well.</param>
/// <param name="Output">What a script printed, both streams as they came; or the JSON of what the method returned.</param>
public sealed record UmlResult(int Number, string? Error, string? Output);

/// <summary>A test that failed inside; the message has the inner stack and the last words of the machine's kernel.</summary>
public sealed class UmlException(string message) : Exception(message);

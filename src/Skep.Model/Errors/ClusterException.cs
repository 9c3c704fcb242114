namespace Skep.Model.Errors;

/// <summary>A refusal with its reason. The message is a sentence for the person who asked; it names what is wrong.</summary>
public sealed class ClusterException : Exception
{
    public ClusterException(ErrorKind kind, string message)
        : base(message) => Kind = kind;

    public ClusterException(ErrorKind kind, string message, Exception inner)
        : base(message, inner) => Kind = kind;

    public ErrorKind Kind { get; }

    public static ClusterException NotFound(string kind, string reference) =>
        new(ErrorKind.NotFound, $"{kind} {reference} not found");

    /// <summary>As Docker says it; its CLI pulls an image when it reads this.</summary>
    public static ClusterException NoSuchImage(string reference) => new(ErrorKind.NotFound, $"No such image: {reference}");

    public static ClusterException Invalid(string message) => new(ErrorKind.InvalidArgument, message);

    public static ClusterException OutOfSequence() => new(ErrorKind.OutOfSequence, "update out of sequence");
}
